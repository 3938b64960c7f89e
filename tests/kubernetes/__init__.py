"""What kubectl prints against a real kube-apiserver, recorded, and the same against ours."""
