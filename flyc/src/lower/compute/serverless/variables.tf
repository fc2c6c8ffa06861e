
variable "gosling" {
  description = "The gosling program on the machine that runs OpenTofu; it starts and stops the runner."
  type        = string
}
