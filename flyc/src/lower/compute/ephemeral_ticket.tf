
# Ephemeral: it stands in no state and in no plan.
variable "ticket" {
  description = "The one-shot ticket the runner registers with each time it starts; empty when it need not start."
  type        = string
  ephemeral   = true
  sensitive   = true
}
