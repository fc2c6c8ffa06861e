-- `:checkhealth fly`

local M = {}

-- The names before and since Neovim 0.10.
local health = vim.health or {}
local found, old = pcall(require, "health")
old = found and old or {}
local start = health.start or old.report_start
local ok = health.ok or old.report_ok
local warn = health.warn or old.report_warn
local error = health.error or old.report_error

function M.check()
  start("Fly")
  if vim.fn.has("nvim-0.7") == 1 then
    ok("Neovim is 0.7 or later")
  else
    error("Neovim is older than 0.7", { "Install Neovim 0.7 or later" })
  end
  local program = require("fly").cmd()[1]
  if vim.fn.executable(program) == 1 then
    ok(("`%s` is there: %s"):format(program, vim.fn.exepath(program)))
  else
    error(("`%s` is not on PATH"):format(program), {
      "Install fly-lsp beside flyc, in a folder that PATH names",
      'Or say where it is: require("fly").setup({ cmd = { "/path/to/fly-lsp" } })',
    })
  end
  if vim.bo.filetype ~= "fly" then
    return
  end
  if require("fly").client() then
    ok("the language server serves this file")
  else
    warn("no language server serves this file", { "Is it within a Nest? Its root has `nest.fly`, Eggs, Jobs, UF or MG" })
  end
end

return M
