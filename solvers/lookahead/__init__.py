"""Steps that look ahead: BF-IO with a horizon."""
