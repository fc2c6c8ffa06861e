
variable "ticket" {
  description = "The one-shot ticket the runner registers with; empty when it has registered already."
  type        = string
  sensitive   = true
}
