"""`python -m telephony`: the command line, for where the package is not installed, as on Heroku."""

from telephony.cli import main

main()
