# tests that are not a folder's own unit tests
