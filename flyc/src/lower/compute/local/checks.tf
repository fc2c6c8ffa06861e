# What /proc says of the process that the PID file names, as process.sh reads it too: the fields after the name, the state
# first, and as the twentieth when it was started. One that only waits to be reaped has ended, and after a reboot its number
# may be another's.
locals {
  pid_file = try(split("\n", file("${terraform_data.process[0].output.folder}/gosling.pid")), [])
  stat     = try(split(" ", regex("[^)]*$", file("/proc/${local.pid_file[0]}/stat"))), [])
  alive    = try(!contains(["Z", "X"], local.stat[1]) && local.stat[20] == local.pid_file[1], false)
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
