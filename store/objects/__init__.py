"""Objects as such: names, metadata, selectors, encoding, and what their life cycle decides. Pure, of no kind."""
