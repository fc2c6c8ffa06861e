-- How a Fly file is edited: what is not the language server's.
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

-- Where the parser of tree-sitter is installed it gives the colours; syntax/fly.vim does where it is not.
if vim.treesitter and vim.treesitter.start then
  if pcall(vim.treesitter.start, vim.api.nvim_get_current_buf(), "fly") then
    vim.b.undo_ftplugin = vim.b.undo_ftplugin .. " | call v:lua.vim.treesitter.stop()"
  end
end

require("fly").attach(vim.api.nvim_get_current_buf())
