"""The tests, tested: modules that decide are changed on purpose, one small change at a time, and a test must notice."""
