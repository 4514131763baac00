"""WAL that waits for the archiver: when archiving is slower than we write, the disk fills and backups fall behind."""

import re
from dataclasses import dataclass

from headway.throttle.level import Level, count, measured
from headway.throttle.limits import Limits
from headway.throttle.signals.signal import Ask, Signal, Unreadable

NAME = "archiving"
_STATE = """
SELECT current_setting('archive_mode') <> 'off',
  has_function_privilege('pg_ls_archive_statusdir()', 'EXECUTE'), a.last_archived_wal,
  CASE WHEN current_setting('archive_mode') <> 'off' THEN pg_walfile_name(pg_current_wal_lsn()) END,
  (SELECT CAST(setting AS bigint) FROM pg_settings WHERE name = 'wal_segment_size')
FROM pg_stat_archiver a
"""
_READY = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"
_FILE = re.compile(r"[0-9A-F]{8}([0-9A-F]{8})([0-9A-F]{8})(\.[0-9A-F]{8}\.backup|\.partial)?")


@dataclass(frozen=True)
class Backlog:
    """Finished segments that are not archived yet."""

    segments: int


def _read(ask: Ask) -> "Backlog | Unreadable":
    is_on, may_list, archived, current, segment_size = ask(_STATE)[0]
    if not is_on:
        return Backlog(0)
    if may_list:
        return Backlog(int(ask(_READY)[0][0]))
    last, now = segment_number(archived, segment_size), segment_number(current, segment_size)
    if last is None or now is None:
        return Unreadable("nothing has been archived yet and this role may not look: GRANT pg_monitor to it")
    return Backlog(max(0, now - last - 1))


def segment_number(file: "str | None", segment_size: int) -> "int | None":
    """Of a WAL file, counted from the first; None for what is no segment, such as a timeline's history.

    A name is timeline, high half and number within 4 GiB, each as 8 hexadecimal digits (``XLogFileName``).
    """
    found = _FILE.fullmatch(file or "")
    if found is None:
        return None
    return int(found[1], 16) * (2**32 // segment_size) + int(found[2], 16)


def _judge(backlog: Backlog, limits: Limits) -> Level:
    return measured(
        NAME, "", backlog.segments, "WAL segments wait to be archived", limits.archive_segments, count
    )


ARCHIVE = Signal(NAME, _read, _judge)
"""Who may list the archiver's folder counts there; others go by the last archived segment's number."""
