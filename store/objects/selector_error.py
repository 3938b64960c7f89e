"""What is wrong with a selector: the sentence that a client reads behind a 400."""


class SelectorError(ValueError):
    """A selector that cannot be understood."""
