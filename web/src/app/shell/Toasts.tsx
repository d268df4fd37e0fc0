import { Notifications } from '@mantine/notifications';

/** Where the short messages appear. */
export default function Toasts() {
  return (
    <section aria-label="Messages">
      <Notifications position="bottom-right" limit={4} withinPortal={false} />
    </section>
  );
}
