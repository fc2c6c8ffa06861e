;;; drive.el --- Opens a Nest as somebody who edits it would  -*- lexical-binding: t; -*-

;;; Commentary:

;; CLIENT says by which client; what came out goes to RESULT as JSON.  Nothing here sleeps: each step waits for what it
;; needs to see.

;;; Code:

(require 'json)
(require 'package)
;; Where Debian keeps packages.
(add-to-list 'package-directory-list "/usr/share/emacs/site-lisp/elpa")
(package-initialize)
(require 'fly-mode)

(defvar drive-client (getenv "CLIENT"))
(defvar drive-seen nil)

(defun drive-seen (name value)
  "Keep VALUE under NAME."
  (push (cons name value) drive-seen))

(defun drive-wait (what holds)
  "Wait until HOLDS is true; WHAT is told when it never is."
  (let ((end (+ (float-time) 30)))
    (while (not (funcall holds))
      (when (> (float-time) end) (error "Nothing came of: %s" what))
      (accept-process-output nil 0.02))))

(defun drive-diagnostics ()
  "What flymake shows: the kinds."
  (delq nil
        (mapcar (lambda (found)
                  (let ((text (flymake-diagnostic-text found)))
                    (when (string-match "\\[\\([a-z-]+\\)\\]" text) (match-string 1 text))))
                (flymake-diagnostics))))

(defun drive-lsp-codes ()
  "What lsp-mode knows: the kinds."
  (let (codes)
    (maphash (lambda (_ found) (dolist (one found) (push (gethash "code" one) codes)))
             (lsp-diagnostics t))
    codes))

(defun drive-codes ()
  "The kinds of diagnostics in this buffer."
  (if (equal drive-client "eglot") (drive-diagnostics) (drive-lsp-codes)))

(defun drive-offered ()
  "What is offered at point, by the client's own function."
  (pcase-let ((`(,_ ,_ ,table . ,_)
               (if (equal drive-client "eglot") (eglot-completion-at-point) (lsp-completion-at-point))))
    (mapcar (lambda (one) (string-trim (substring-no-properties one))) (all-completions "" table))))

(defun drive-lenses ()
  "How many lenses this file has."
  (length
   (if (equal drive-client "eglot")
       (jsonrpc-request (eglot-current-server) :textDocument/codeLens
                        (list :textDocument (list :uri (fly--uri))))
     (lsp-request "textDocument/codeLens" (list :textDocument (list :uri (fly--uri)))))))

(defun drive ()
  "Open a Nest."
  (if (equal drive-client "eglot") (require 'eglot) (require 'lsp-mode))
  (when (getenv "NO_LENSES") (setq fly-settings '(:codeLens :json-false)))
  (find-file (expand-file-name "Eggs/web/config.fly" (getenv "NEST")))
  (drive-seen "mode" (symbol-name major-mode))
  (if (equal drive-client "eglot")
      (apply #'eglot (eglot--guess-contact))
    (setq lsp-auto-guess-root t lsp-enable-suggest-server-download nil lsp-warn-no-matched-clients nil
          lsp-headerline-breadcrumb-enable nil lsp-modeline-diagnostics-enable nil
          lsp-modeline-code-actions-enable nil lsp-diagnostics-provider :none lsp-enable-file-watchers nil
          lsp-session-file (expand-file-name "session" (getenv "HOME")))
    (lsp-workspace-folders-add (getenv "NEST"))
    (lsp))
  (when (equal drive-client "eglot") (flymake-start))
  (drive-wait "a diagnostic" #'drive-codes)
  (drive-seen "diagnostics" (vconcat (drive-codes)))
  (when (equal drive-client "eglot")
    (goto-char (flymake-diagnostic-beg (car (flymake-diagnostics))))
    (drive-seen "here" (fly--code-here))
    (drive-seen "root" (file-name-nondirectory (directory-file-name (project-root (project-current))))))
  (drive-seen "line" (progn (goto-char (point-min)) (search-forward "memry") (line-number-at-pos)))
  ;; Its fix is typed; the diagnostic goes.
  (replace-match "memory")
  (if (equal drive-client "eglot")
      (progn (eglot--signal-textDocument/didChange) (flymake-start))
    (lsp-on-change (point-min) (point-min) 0))
  (drive-wait "no diagnostic" (lambda () (not (drive-codes))))
  ;; Completion.
  (goto-char (point-min))
  (search-forward "= \"vm")
  (backward-char 2)
  (delete-char 2)
  (drive-seen "completion" (vconcat (drive-offered)))
  (insert "vm")
  ;; Formatting.
  (if (equal drive-client "eglot") (eglot-format-buffer) (lsp-format-buffer))
  (drive-seen "formatted" (buffer-string))
  ;; Settings: without `codeLens' there are no lenses.
  (drive-seen "lenses" (drive-lenses))
  ;; The server's own commands.
  (drive-seen "explained" (with-current-buffer (fly-explain "type-mismatch") (buffer-string)))
  (drive-seen "simulated" (with-current-buffer (fly-simulate) (buffer-string)))
  (fly-generated)
  (drive-seen "generated"
              (vconcat (delq nil (mapcar (lambda (buffer)
                                           (let ((name (buffer-name buffer)))
                                             (when (string-match "\\*fly: \\(.*\\.tf\\)\\*" name) (match-string 1 name))))
                                         (buffer-list))))))

(let ((problem nil))
  (condition-case found
      (drive)
    (error (setq problem (error-message-string found))))
  (drive-seen "problem" problem)
  (with-temp-file (getenv "RESULT") (insert (json-encode drive-seen)))
  (set-buffer-modified-p nil)
  (let ((kill-emacs-hook nil)) (kill-emacs (if problem 1 0))))

;;; drive.el ends here
