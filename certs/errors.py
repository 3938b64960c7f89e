"""What can be wrong with a certificate or a key."""


class CertificateError(ValueError):
    """PEM that cannot be used. The message says what is wrong and, where there is one, the remedy."""
