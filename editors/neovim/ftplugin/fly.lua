-- How a Fly file is edited. The language server does the rest.
if vim.b.did_ftplugin then
  return
end
vim.b.did_ftplugin = 1

vim.bo.commentstring = "# %s"
vim.bo.comments = ":///,://,:#"
vim.bo.expandtab = true
vim.bo.shiftwidth = 2
vim.bo.softtabstop = 2
-- Names of eggs and jobs hold `-`.
vim.opt_local.iskeyword:append("-")
vim.b.undo_ftplugin = "setlocal commentstring< comments< expandtab< shiftwidth< softtabstop< iskeyword<"

require("fly").attach(vim.api.nvim_get_current_buf())
