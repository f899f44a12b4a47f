"""The commands of ``domain-translation``, one file for each thing they are about."""
