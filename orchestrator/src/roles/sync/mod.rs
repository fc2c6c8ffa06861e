//! A look at the Nest's repository: what is new is checked, built and brought into force.
