"""Notebooks for work by hand: copies of the report notebooks whose parameters name one scheme."""

from pathlib import Path

import nbformat

from sprx.run import notebooks_folder
from sprx.settings import read_settings


def lab_folder(folder):
    """Copy the report notebooks into DIR/notebooks, with DIR as their scheme; copies already there are kept.

    Returns
    -------
    Path
        The folder of the copies.

    Raises
    ------
    SchemeError
        If DIR is not a scheme folder.
    """
    folder = Path(folder)
    read_settings(folder)
    target = folder / "notebooks"
    target.mkdir(exist_ok=True)
    for path in sorted(notebooks_folder().glob("*.ipynb")):
        copy = target / path.name
        if copy.exists():
            continue                                # an analyst may have changed it
        notebook = nbformat.read(path, 4)
        cell = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
        lines = [f'scheme_dir = ".."  # this scheme' if line.startswith("scheme_dir") else
                 f'output_dir = "../results-by-hand"  # where results go' if line.startswith("output_dir") else line
                 for line in cell.source.split("\n")]
        cell.source = "\n".join(lines)
        nbformat.write(notebook, copy)
    return target
