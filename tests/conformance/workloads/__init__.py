"""Plays kubelet for the suite: Deployments become Pods, and Pods become programs in network namespaces of their own."""
