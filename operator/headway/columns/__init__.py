"""What belongs to a column, its copies on another one, and the moment in which that takes its place."""
