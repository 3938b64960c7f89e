"""One file per kind of traffic; each user checks what comes back and reports to locust as one request per exchange."""
