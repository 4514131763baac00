"""The loop: wake, observe, plan, execute. The only package in which the planner meets the outside world."""
