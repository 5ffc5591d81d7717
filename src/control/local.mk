# filled in by the sources of this folder
