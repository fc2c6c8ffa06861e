# What /proc says of the process that the PID file names, as process.sh reads it too: the fields after the name, the state
# first, and as the twentieth when it was started. One that only waits to be reaped has ended, and after a reboot its number
# may be another's.
locals {
  lines   = try(split("\n", file("${terraform_data.process[0].output.folder}/gosling.pid")), [])
  process = try(split(" ", regex("[^)]*$", file("/proc/${local.lines[0]}/stat"))), [])
  alive   = try(!contains(["Z", "X"], local.process[1]) && local.process[20] == local.lines[1], false)
}

# A process that ended by itself leaves its PID file; only /proc tells. Where there is no /proc, nobody can.
check "instance" {
  assert {
    condition = (
      length(terraform_data.process) == 0
      || !fileexists("/proc/self/stat")
      || local.alive
    )
    error_message = "The process of the runner ${var.runner_id} has ended by itself."
  }
}
