"""What people read: failures, messages and lines of the log, without what must never be shown."""
