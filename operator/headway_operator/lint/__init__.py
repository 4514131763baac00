"""What in the pending revisions would hold up a running application: facts in, findings out. Pure."""
