//! The rule, case by case.
