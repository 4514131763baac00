"""Calls to the outside: what is sent, how it is signed, where it may go, and what came back."""
