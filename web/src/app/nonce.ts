import { setNonce } from 'get-nonce';

/**
 * The nonce of this answer's content security policy. The server writes it into index.html; everything
 * that adds a <style> element at run time must carry it.
 */
export const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';

// For the scroll lock behind dialogs, which asks this module for it.
if (nonce) setNonce(nonce);
