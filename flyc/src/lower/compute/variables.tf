variable "runner_id" {
  description = "The runner's id, unique in the installation."
  type        = string
}

variable "pool" {
  description = "\"apex\": the runner is awake; \"nadir\": it is stopped and keeps what it has."
  type        = string

  validation {
    condition     = contains(["apex", "nadir"], var.pool)
    error_message = "A pool is \"apex\" or \"nadir\"."
  }
}

variable "nest" {
  description = "The Nest the egg belongs to."
  type        = string
}

variable "egg" {
  description = "The egg the runner belongs to."
  type        = string
}

variable "commit" {
  description = "The Nest's commit the runner was made from."
  type        = string
}

variable "ticket" {
  description = "The one-shot ticket the runner registers with; empty when it has registered already."
  type        = string
  sensitive   = true
}

variable "orchestrator_url" {
  description = "Where the runner reaches the orchestrator."
  type        = string
}
