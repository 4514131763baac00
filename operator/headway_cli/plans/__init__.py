"""What ``headway plan`` shows: where the plan is had from, what of it a reader needs, and its forms."""
