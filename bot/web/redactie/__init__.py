"""The desk of editors: writing articles, having them looked at, publishing them."""
