"""`python -m camobench`: the command line without the command."""

from camobench import main

main()
