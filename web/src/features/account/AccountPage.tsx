import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { Appearance } from './Appearance';
import { Password } from './Password';
import { Profile } from './Profile';
import { Sessions } from './Sessions';

export function AccountPage() {
  return (
    <Page width="reading">
      <PageHeader title="Your account" />
      <Profile />
      <Appearance />
      <Password />
      <Sessions />
    </Page>
  );
}
