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
  default     = null
}

variable "job" {
  description = "The job the runner belongs to, when it belongs to no egg."
  type        = string
  default     = null

  validation {
    condition     = (var.egg == null) != (var.job == null)
    error_message = "A runner belongs to an egg or to a job."
  }
}

variable "commit" {
  description = "The Nest's commit the runner was made from."
  type        = string
}

variable "orchestrator_url" {
  description = "Where the runner reaches the orchestrator."
  type        = string
}
