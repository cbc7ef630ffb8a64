// Buttons that copy the text of a field. Without this script they stay hidden, and the field can
// be selected.
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // Browsers allow that on pages with https only.
      document.execCommand("copy");
    }
    button.textContent = button.dataset.copied;
  });
}
