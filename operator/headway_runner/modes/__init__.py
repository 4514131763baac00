"""What a request asks for, each from its beginning to its result."""
