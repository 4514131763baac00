"""What is wished at present, through a file in memory: whole, the newest, or the one before."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from headway_contract.backfill import BackfillSettings
from headway_contract.control import Control
from headway_runner.processes.level import Level

CONTROLS = st.builds(
    Control,
    sequence=st.integers(0, 10**6),
    pause=st.text(max_size=2000),
    backfill=st.none() | st.builds(BackfillSettings, pace=st.text(max_size=9)),
)


@given(st.lists(CONTROLS, max_size=8))
def test_a_reader_sees_the_newest_value(controls):
    level = Level.make()
    reader = Level(level.descriptor)
    assert reader.get() == Control()
    for control in controls:
        level.put(control)
        assert reader.get() == level.get() == control
    os.close(level.descriptor)


@given(CONTROLS, CONTROLS, st.data())
def test_a_value_that_is_half_written_is_not_seen(before, after, data):
    level = Level.make()
    level.put(before)
    reader, whole = Level(level.descriptor), Level.make()
    assert reader.get() == before
    whole.put(before)
    whole.put(after)
    written = os.pread(whole.descriptor, 1 << 20, 0)
    cut = data.draw(st.integers(0, len(written)))
    os.pwrite(level.descriptor, written[:cut], 0)
    assert reader.get() in (before, after)
    os.pwrite(level.descriptor, written, 0)
    assert reader.get() == after
    for one in (level, whole):
        os.close(one.descriptor)
