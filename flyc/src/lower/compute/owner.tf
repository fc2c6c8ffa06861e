# Whose the runner is, in the words of its labels.
locals {
  owner_kind = var.job == null ? "egg" : "job"
  owner      = var.job == null ? var.egg : var.job
}
