// Files that the page gives to the user.

/** Saves a file in the folder for downloads of the browser. */
export function saveFile(content: Blob, name: string): void {
  const link = document.createElement('a'), address = URL.createObjectURL(content);
  link.href = address;
  link.download = name.replace(/[\\/:*?"<>|]/g, '_');
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
