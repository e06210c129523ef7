"""`python -m multiserve`."""

from multiserve.cli import main

if __name__ == "__main__":
    main(prog_name="python -m multiserve")
