"""The examples of the house style still run, in order, with the versions in the lock."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "shared" / "house_style.md"


def test_every_python_block_of_the_house_style_runs():
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert len(blocks) >= 8
    room = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), room)
    tests = [f for name, f in room.items() if name.startswith("test_")]
    assert len(tests) >= 5
    for test in tests:
        test()
