"""Where the theorems say more than nothing."""
