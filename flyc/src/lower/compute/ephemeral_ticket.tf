
# Ephemeral: it stands in no state and in no plan.
variable "ticket" {
  description = "The one-shot ticket the runner registers with; empty when it has registered already."
  type        = string
  ephemeral   = true
  sensitive   = true
}
