import { Notifications } from '@mantine/notifications';

/** Where the short messages appear. */
export default function Toasts() {
  return <Notifications position="bottom-right" limit={4} aria-label="Messages" />;
}
