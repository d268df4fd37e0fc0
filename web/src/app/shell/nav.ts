import type { TablerIcon } from '@tabler/icons-react';
import {
  IconFileText,
  IconHash,
  IconHistory,
  IconHome,
  IconKey,
  IconPlugConnected,
  IconSettings,
  IconTag,
  IconTrash,
  IconUsers,
} from '@tabler/icons-react';

export interface NavPage {
  to: '/' | '/prompts' | '/prompts/bin' | '/activity' | '/tags' | '/clients' | '/labels' | '/api-keys' | '/members' | '/settings';
  label: string;
  Icon: TablerIcon;
  isActive: (pathname: string) => boolean;
  adminOnly?: boolean;
}

const bin = (pathname: string) => pathname.startsWith('/prompts/bin');

export const mainPages: NavPage[] = [
  { to: '/', label: 'Home', Icon: IconHome, isActive: (pathname) => pathname === '/' },
  {
    to: '/prompts',
    label: 'Prompts',
    Icon: IconFileText,
    isActive: (pathname) => pathname.startsWith('/prompts') && !bin(pathname),
  },
  {
    to: '/clients',
    label: 'Clients',
    Icon: IconPlugConnected,
    isActive: (pathname) => pathname.startsWith('/clients'),
  },
  {
    to: '/activity',
    label: 'Activity',
    Icon: IconHistory,
    isActive: (pathname) => pathname.startsWith('/activity'),
  },
  { to: '/prompts/bin', label: 'Bin', Icon: IconTrash, isActive: bin },
];

export const workspacePages: NavPage[] = [
  { to: '/tags', label: 'Tags', Icon: IconHash, isActive: (pathname) => pathname.startsWith('/tags') },
  { to: '/labels', label: 'Labels', Icon: IconTag, isActive: (pathname) => pathname.startsWith('/labels') },
  {
    to: '/api-keys',
    label: 'API keys',
    Icon: IconKey,
    isActive: (pathname) => pathname.startsWith('/api-keys'),
    adminOnly: true,
  },
  { to: '/members', label: 'Members', Icon: IconUsers, isActive: (pathname) => pathname.startsWith('/members') },
  { to: '/settings', label: 'Settings', Icon: IconSettings, isActive: (pathname) => pathname.startsWith('/settings') },
];
