-- `:checkhealth fly`

local M = {}

-- The names before and since Neovim 0.10.
local health = vim.health or {}
local found, old = pcall(require, "health")
old = found and old or {}
local start = health.start or old.report_start
local ok = health.ok or old.report_ok
local warn = health.warn or old.report_warn
local info = health.info or old.report_info
local error = health.error or old.report_error

function M.check()
  start("Fly")
  if vim.fn.has("nvim-0.7") == 1 then
    ok("Neovim is 0.7 or later")
  else
    error("Neovim is older than 0.7", { "Install Neovim 0.7 or later" })
  end
  local fly = require("fly")
  local cmd = fly.cmd()
  local program = type(cmd) == "table" and cmd[1]
  if not program then
    ok("the server is started by a function")
  elseif vim.fn.executable(program) == 1 then
    ok(("`%s` is there: %s"):format(program, vim.fn.exepath(program)))
  else
    error(("`%s` is not on PATH"):format(program), {
      "Install fly-lsp beside flyc, in a folder that PATH names",
      'Or say where it is: require("fly").setup({ cmd = { "/path/to/fly-lsp" } })',
    })
  end
  -- The page of health is a buffer of its own: what serves the Fly files is asked, not what serves this one.
  local clients = fly.clients()
  for _, client in ipairs(clients) do
    local files = vim.tbl_count(client.attached_buffers or {})
    local what = files == 1 and "1 file" or files .. " files"
    ok(("the language server runs in %s and serves %s"):format(client.config.root_dir, what))
  end
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    local path = vim.api.nvim_buf_get_name(bufnr)
    if vim.api.nvim_buf_is_loaded(bufnr) and vim.bo[bufnr].filetype == "fly" and not fly.client(bufnr) then
      warn(("no language server serves %s"):format(path ~= "" and path or "a buffer without a name"), {
        "Is it within a Nest? Its root has `nest.fly`, Eggs, Jobs, UF or MG",
      })
    end
  end
  if #clients == 0 then
    info("no language server runs; the first Fly file of a Nest starts one")
  end
  local parsers = vim.api.nvim_get_runtime_file("parser/fly.*", false)
  if #parsers > 0 then
    ok("the parser of tree-sitter is there: " .. parsers[1])
  else
    info("there is no parser of tree-sitter: colours are of syntax/fly.vim (`fly-tree-sitter` in the help)")
  end
end

return M
