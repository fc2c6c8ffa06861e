-- The commands of Fly. Everything else begins with a Fly file: see ftplugin/fly.lua.
if vim.g.loaded_fly then
  return
end
vim.g.loaded_fly = true

local function command(name, run, options)
  vim.api.nvim_create_user_command(name, function(given)
    run(given.args ~= "" and given.args or nil)
  end, options)
end

command("FlyExplain", function(id)
  require("fly").explain(id)
end, {
  nargs = "?",
  complete = function(lead)
    return require("fly").kinds(lead)
  end,
  desc = "Explain a diagnostic: the one at the cursor, or the one of this name",
})

command("FlyGenerated", function()
  require("fly").generated()
end, { nargs = 0, desc = "Show what is generated from this file" })

command("FlySimulate", function()
  require("fly").simulate()
end, { nargs = 0, desc = "Show what this file would deploy" })

-- From Neovim 0.11 on the editor itself knows servers by their configuration: lsp/fly_lsp.lua.
if vim.lsp.config and vim.lsp.enable then
  vim.lsp.enable("fly_lsp")
end
