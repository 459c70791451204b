"""Steps that admit the whole pool: parallel machines, whose makespan is to be least."""
