import { useLocation } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';

/**
 * After a navigation puts the keyboard at the start of the new page, unless the page itself has placed
 * it, and gives the page's name for the screen reader.
 */
export function useNavigationFocus(): string {
  const pathname = useLocation({ select: (location) => location.pathname });
  const previous = useRef(pathname);
  const [announcement, setAnnouncement] = useState('');

  useEffect(() => {
    if (previous.current === pathname) return;
    previous.current = pathname;
    // The page names itself in an effect of its own; look after that has run.
    const timer = window.setTimeout(() => {
      const main = document.getElementById('main');
      if (main && !main.contains(document.activeElement)) main.focus({ preventScroll: true });
      setAnnouncement(document.title);
    }, 60);
    return () => window.clearTimeout(timer);
  }, [pathname]);

  return announcement;
}
