import subprocess
import sys

import pytest

USED = """
import sys
from pathlib import Path
from mitame.engines.dictionary import Dictionary
from mitame.engines.dictionary.plain import PlainDictionary
from mitame.engines.peers.aplus import APlus
from mitame.solve import compiled
from mitame.testing.phantom import head_grid, phantom_session


def variants():
    "Return what is compiled: loops, and for which arrays."
    loops = {
        f"{module.__name__}.{name}": found
        for module in list(sys.modules.values())
        if module.__name__.startswith("mitame.solve")
        for name, found in vars(module).items()
        if hasattr(found, "signatures") and found.targetoptions.get("nogil")
    }
    assert len(loops) > 10
    return {(name, str(one)) for name, loop in loops.items() for one in loop.signatures}


if sys.argv[2] == "compiled":
    compiled.compile_loops()
before = variants()
group = [
    phantom_session(head_grid(8.0), gain=1 / 800, noise=20, seed=n) for n in range(2)
]
made = Dictionary(n_atoms=16, epochs=1), PlainDictionary(n_atoms=16), APlus()
for n, engine in enumerate(made):
    folder = Path(sys.argv[1]) / str(n)
    engine.fit(group, group).save(folder)
    type(engine).load(folder).transform(group[0])
new = {name for name, _ in variants() - before}
print(sorted(new))
"""


@pytest.mark.parametrize("before", ["compiled", "not"])
def test_engines_compile_nothing_when_all_was_compiled_before(before, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", USED, tmp_path, before],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (done.stdout.strip() == "[]") == (before == "compiled"), done.stdout
