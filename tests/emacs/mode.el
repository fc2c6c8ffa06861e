;;; mode.el --- What fly-mode does to a text  -*- lexical-binding: t; -*-

;;; Code:

(require 'ert)
(require 'fly-mode)
(require 'imenu)

(defmacro fly-test-with (text &rest body)
  "Do BODY in a buffer in `fly-mode' that holds TEXT, with its colours."
  (declare (indent 1))
  `(with-temp-buffer
     (insert ,text)
     (fly-mode)
     (font-lock-ensure)
     (goto-char (point-min))
     ,@body))

(defun fly-test-face (text)
  "The colour of the first TEXT."
  (save-excursion
    (goto-char (point-min))
    (search-forward text)
    (get-text-property (match-beginning 0) 'face)))

(defconst fly-test-egg "# Runners.
egg \"my-app\" {
  type = \"vm\"
  resources {
    memory = 4GiB
    share  = 80%
  }
  runner {
    tags   = concat(local.tags, [\"a b\"])
    script = <<-EOT
      echo \"${HOME}\" # no comment {
        indented = text
      EOT
    shared = true /* a
    comment */
  }
}
")

(ert-deftest fly-colours ()
  (fly-test-with fly-test-egg
    (should (eq (fly-test-face "# Runners") 'font-lock-comment-delimiter-face))
    (should (eq (fly-test-face "Runners") 'font-lock-comment-face))
    (should (eq (fly-test-face "egg") 'font-lock-keyword-face))
    (should (eq (fly-test-face "my-app") 'font-lock-string-face))
    (should (eq (fly-test-face "resources") 'font-lock-type-face))
    (should (eq (fly-test-face "memory") 'font-lock-variable-name-face))
    (should (eq (fly-test-face "4GiB") 'font-lock-constant-face))
    (should (eq (fly-test-face "80%") 'font-lock-constant-face))
    (should (eq (fly-test-face "concat") 'font-lock-builtin-face))
    (should (eq (fly-test-face "true") 'font-lock-constant-face))
    (should (eq (fly-test-face "comment */") 'font-lock-comment-face))
    ;; A heredoc is a string to its end, and no further.
    (should (eq (fly-test-face "echo") 'font-lock-string-face))
    (should (eq (fly-test-face "no comment") 'font-lock-string-face))
    (should (eq (fly-test-face "indented") 'font-lock-string-face))
    (should (eq (fly-test-face "shared") 'font-lock-variable-name-face))))

(ert-deftest fly-indents ()
  (let ((lines (split-string fly-test-egg "\n")))
    (fly-test-with (mapconcat (lambda (line) (if (string-match-p "echo\\|indented\\|EOT$\\|comment \\*/" line) line
                                               (string-trim-left line)))
                              lines "\n")
      (indent-region (point-min) (point-max))
      (should (equal (buffer-string) fly-test-egg)))))

(ert-deftest fly-new-lines-stand-within-their-block ()
  (fly-test-with "egg \"a\" {"
    (goto-char (point-max))
    (newline-and-indent)
    (insert "list = [")
    (newline-and-indent)
    (insert "1,")
    (newline-and-indent)
    (insert "]")
    (indent-according-to-mode)
    (newline-and-indent)
    (insert "}")
    (indent-according-to-mode)
    (should (equal (buffer-string) "egg \"a\" {\n  list = [\n    1,\n  ]\n}"))))

(ert-deftest fly-comments ()
  (fly-test-with "egg \"a\" {\n}\n"
    (comment-region (point-min) (point-max))
    (should (equal (buffer-string) "# egg \"a\" {\n# }\n"))
    (uncomment-region (point-min) (point-max))
    (should (equal (buffer-string) "egg \"a\" {\n}\n"))))

(ert-deftest fly-outline ()
  (fly-test-with (concat fly-test-egg "locals {\n}\n")
    (let ((names (delete "*Rescan*" (mapcar #'car (imenu--make-index-alist t)))))
      (should (equal names '("egg \"my-app\"" "locals"))))))

(ert-deftest fly-files-get-the-mode ()
  (let* ((folder (make-temp-file "nest" t))
         (file (expand-file-name "Eggs/a/config.fly" folder)))
    (unwind-protect
        (progn
          (make-directory (file-name-directory file) t)
          (write-region "egg \"a\" {\n}\n" nil file nil 'silent)
          (with-current-buffer (find-file-noselect file)
            (should (derived-mode-p 'fly-mode))
            (should (equal (file-truename (project-root (project-current)))
                           (file-name-as-directory (file-truename folder))))
            (kill-buffer)))
      (delete-directory folder t))))

(ert-deftest fly-words-end-where-names-do ()
  (fly-test-with "egg \"my-app\" {"
    (search-forward "my")
    (should (equal (thing-at-point 'symbol) "my-app"))))

;;; mode.el ends here
