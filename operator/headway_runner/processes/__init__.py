"""The parent and the processes that it forks: what goes in, what comes out, and what is wished meanwhile."""
