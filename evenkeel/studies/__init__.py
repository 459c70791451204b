"""Studies: grids of systems and policies, the experiments of the paper, one trace."""
