"""The simple forecasters, one file each: what every other one has to beat."""
